/** Varints: seven bits a byte, low bits first, the high bit says that more follow. At most 5 bytes for a u32, 8 for a u64. */

/** Writes `value` and returns the place after it. */
export function putVarint(at: usize, value: u64): usize {
  while (value >= 128) {
    store<u8>(at, <u8>(value | 128));
    at++;
    value >>= 7;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}

/** The same for a u32: one and two bytes, which most are, without a loop. */
export function putVarint32(at: usize, value: u32): usize {
  if (value < 128) {
    store<u8>(at, <u8>value);
    return at + 1;
  }
  if (value < 16384) {
    store<u16>(at, <u16>((value & 127) | 128 | ((value >> 7) << 8)));
    return at + 2;
  }
  return putVarint(at, <u64>value);
}

/** Bytes taken << 32 | value, or 0 when there is no u32 before `end`. */
export function takeVarint(at: usize, end: usize): u64 {
  let value: u64 = 0;
  for (let taken: u32 = 0; taken < 5 && at + taken < end; taken++) {
    const byte = <u64>load<u8>(at + taken);
    value |= (byte & 127) << (7 * taken);
    if (byte < 128) return value > 0xffffffff ? 0 : ((<u64>(taken + 1)) << 32) | value;
  }
  return 0;
}

/** Whether two bytes begin with a varint below 2^14. Its length and value come without a branch, so that a mix of one and two bytes costs no more than either. */
export function isShort(pair: u32): bool {
  return (pair & 0x8080) != 0x8080;
}

export function shortLength(pair: u32): u32 {
  return 1 + ((pair >> 7) & 1);
}

export function shortValue(pair: u32): u32 {
  return (pair & 127) | ((pair >> 1) & -((pair >> 7) & 1) & 0x3f80);
}

/** Small for small magnitudes of either sign: 0, -1, 1, -2, ... become 0, 1, 2, 3, ... */
export function zigZag(value: i32): u32 {
  return (value << 1) ^ (value >> 31);
}

export function unZigZag(value: u32): i32 {
  return <i32>(value >> 1) ^ -(<i32>(value & 1));
}
