/** The error for an optional package that could not be imported, with its own first line and the way out. */
export function missingPackage(name: string, cause: unknown): Error {
  const [reason] = String((cause as Error)?.message ?? cause).split('\n');
  return new Error(`the package '${name}' must be installed, got "${reason}" (npm install ${name})`, {
    cause,
  });
}
