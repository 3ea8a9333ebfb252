import { areaUnderCurve } from '@voxface/metrics';

console.log(areaUnderCurve([0.02, 0.06, Infinity], 0.08).toFixed(3)); // => 0.333
