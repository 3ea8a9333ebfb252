'use client';
import { useEffect, useState } from 'react';
import { createFaceLandmarker } from 'voxface';

export default function Page() {
  const [status, setStatus] = useState('...');
  useEffect(() => {
    (async () => {
      const landmarker = await createFaceLandmarker();
      globalThis.faces = await landmarker.detect('photo.jpg');
      setStatus(`${globalThis.faces.length} faces`);
    })();
  }, []);
  return <p>{status}</p>;
}
