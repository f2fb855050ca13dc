/**
 * What the agent does without a collector, where it is asked for: its own /debug/pprof/ (RINGTAIL_PPROF), a profile of
 * the run in a file (RINGTAIL_OUT), a summary on stderr (RINGTAIL_SUMMARY). Everything is loaded only then.
 */
import { say } from '../stderr';
import { ownToken } from './own-token';
import type { PprofServer } from './pprof-server';
import type { ProfileContext } from './profiles/context';
import { MainClock } from './profiles/main-clock';
import type { Profiles } from './profiles/profiles';
import type { RunProfile } from './run-profile';

export class Standalone {
  #server: PprofServer | null = null;
  #run: RunProfile | null = null;
  #closed = false;

  constructor(
    readonly context: ProfileContext,
    readonly profiles: () => Promise<Profiles>,
  ) {}

  open(): void {
    const { pprofAddress, outFile, summary } = this.context.data.options;
    if (pprofAddress !== '') {
      this.#serve(pprofAddress).catch((error: Error) =>
        say(`no profiles on ${pprofAddress}: ${error.message}`),
      );
    }
    if (outFile !== '' || summary) {
      this.#keep(outFile, summary).catch((error: Error) => say(`no profile of the run: ${error.message}`));
    }
  }

  /** A signal came. */
  signalled(): void {
    void this.#run?.writeNow();
  }

  /** At exit, after the last window came in. */
  close(): void {
    this.#closed = true;
    this.#server?.close();
    this.#run?.end();
  }

  async #serve(pprofAddress: string): Promise<void> {
    const { PprofServer } = await import('./pprof-server.js');
    const cut = pprofAddress.lastIndexOf(':');
    const [address, port] = [pprofAddress.slice(0, cut), Number(pprofAddress.slice(cut + 1))];
    const { data, identity } = this.context;
    const token = () => ownToken(data.tokenEnvironment);
    const server = new PprofServer({ identity, profiles: this.profiles, token });
    const found = await server.listen(address.replace(/^\[|\]$/g, ''), port);
    if (this.#closed) return server.close();
    this.#server = server;
    if (found !== port) {
      const why = port === 0 ? 'profiles are' : `port ${port} is taken: profiles are`;
      say(`${why} on http://${address}:${found}/debug/pprof/`);
    }
  }

  async #keep(outFile: string, summary: boolean): Promise<void> {
    const clock = new MainClock(this.context);
    const { RunProfile } = await import('./run-profile.js');
    if (!this.#closed) this.#run = new RunProfile(this.context, { outFile, summary }, clock, say);
  }
}
