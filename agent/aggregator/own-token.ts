/**
 * The token as this thread reads it: anew each time, because a collector may have made it meanwhile. That what the user
 * gave cannot be used is told once.
 */
import { sayOnce } from '../stderr';
import { type Environment, isNamedPlace, readToken } from '../wire/token';

/** null where there is none. */
export function ownToken(environment: Environment): string | null {
  const found = readToken(environment, undefined, (place, reason) => {
    if (isNamedPlace(environment, place)) sayOnce('token', `the token of ${place} is not used: ${reason}`);
  });
  return found?.token ?? null;
}
