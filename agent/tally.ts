/** What this thread's sources and instruments count for stats(). */
export const tally = {
  /** Series opened. */
  series: 0,
  /** Ring records that found no room. */
  dropped: 0,
  /** Calls of instruments whose argument could not be used. */
  refused: 0,
};
