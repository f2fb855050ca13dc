/** HdrHistogram as the benches set it: from 1 to 2^40, counts of 32 bits. */
export const HIGHEST = 2 ** 40;

/** hdr: the module hdr-histogram-js. */
export function buildHdr(hdr, useWebAssembly, digits = 2) {
  return hdr.build({
    useWebAssembly,
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: digits,
  });
}
