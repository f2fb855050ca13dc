/** The inspector session to the main thread that the sampler works through. */
import { Session } from 'node:inspector';
import type { SamplerSession } from './sampler';

export function openMainSession(): SamplerSession {
  const session = new Session();
  session.connectToMainThread();
  return session as SamplerSession;
}
