/** Proof that a side knows the token, without sending it: HMAC-SHA256 over role and both nonces. */
import { hmacSha256 } from './sha256';

/** role: who proves. theirNonce: 16 bytes from the other side; ownNonce: 16 bytes of the prover. Returns 32 bytes. */
export function proofOf(
  token: string,
  role: 'agent' | 'collector',
  theirNonce: Uint8Array,
  ownNonce: Uint8Array,
): Uint8Array {
  const message = Buffer.concat([Buffer.from(`ringtail/1/${role}`), theirNonce, ownNonce]);
  return hmacSha256(Buffer.from(token), message);
}

/** Compares in constant time; false for any length but 32. */
export function proofMatches(expected: Uint8Array, got: Uint8Array): boolean {
  if (expected.length !== 32 || got.length !== 32) return false;
  let difference = 0;
  for (let i = 0; i < 32; i++) difference |= expected[i]! ^ got[i]!;
  return difference === 0;
}
