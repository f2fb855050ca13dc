/** Proof that a side knows the token, without sending it: HMAC-SHA256 over role and both nonces. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** role: who proves. theirNonce: 16 bytes from the other side; ownNonce: 16 bytes of the prover. Returns 32 bytes. */
export function proofOf(
  token: string,
  role: 'agent' | 'collector',
  theirNonce: Uint8Array,
  ownNonce: Uint8Array,
): Uint8Array {
  return createHmac('sha256', token)
    .update(`ringtail/1/${role}`)
    .update(theirNonce)
    .update(ownNonce)
    .digest();
}

/** Compares in constant time; false for any length but 32. */
export function proofMatches(expected: Uint8Array, got: Uint8Array): boolean {
  return expected.length === 32 && got.length === 32 && timingSafeEqual(expected, got);
}
