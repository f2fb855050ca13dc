/** The memory as typed arrays: what the twin loads and stores through. Places are bytes; `>> 2` and `>> 3` make them indices. */
export type TwinViews = {
  u8: Uint8Array;
  i32: Int32Array;
  u32: Uint32Array;
  f64: Float64Array;
  /** For 64-bit atomics. */
  i64: BigInt64Array;
};

export function viewsOf(buffer: SharedArrayBuffer): TwinViews {
  return {
    u8: new Uint8Array(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
    f64: new Float64Array(buffer),
    i64: new BigInt64Array(buffer),
  };
}
