/**
 * The agent thread's inspector sessions to the main thread. All of them are opened here, so that none is left when the
 * process ends: Node would name it on the program's stderr ("Waiting for the debugger to disconnect...").
 */
import { Session } from 'node:inspector';

const connected = new Set<MainSession>();
let isLetGo = false;

export class MainSession extends Session {
  /** Connects. Throws where the runtime refuses a session, and once main was let go of. */
  constructor() {
    super();
    if (isLetGo) throw new Error('the agent is closing: it opens no session any more');
    this.connectToMainThread();
    connected.add(this);
  }

  /** Whatever was asked is answered with an error. Does nothing the second time. */
  override disconnect(): void {
    connected.delete(this);
    super.disconnect();
  }
}

/** Ends all sessions, and for good. */
export function letGoOfMain(): void {
  isLetGo = true;
  for (const session of connected) session.disconnect();
}
