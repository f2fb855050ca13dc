/** The one place where a long-running command learns that it should end: by time, by signal, by a key, by failure. */

export type StopReason = 'done' | 'interrupted' | 'terminated';

export type StopSignal = {
  stopped: Promise<StopReason>;
  stop(reason: StopReason): void;
  fail(error: Error): void;
};

/** Listens for SIGINT, SIGTERM and SIGHUP until stopped; a second SIGINT then ends the process the usual way. */
export function stopSignal(seconds?: number): StopSignal {
  let settle: (reason: StopReason) => void;
  let reject: (error: Error) => void;
  const stopped = new Promise<StopReason>((resolve, rejectPromise) => {
    settle = resolve;
    reject = rejectPromise;
  });
  stopped.catch(() => {}); // whoever awaits it later still sees it; nobody awaiting yet is no crash
  const onInterrupt = () => stop('interrupted');
  const onTerminate = () => stop('terminated');
  const timer = seconds === undefined ? undefined : setTimeout(() => stop('done'), seconds * 1000);
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  process.on('SIGHUP', onTerminate);

  function release(): void {
    clearTimeout(timer);
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
    process.off('SIGHUP', onTerminate);
  }
  function stop(reason: StopReason): void {
    release();
    settle(reason);
  }
  function fail(error: Error): void {
    release();
    reject(error);
  }
  return { stopped, stop, fail };
}
