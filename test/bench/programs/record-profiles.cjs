/** Preloaded: profiles its program at 99 Hz from a worker thread, a window every two seconds, and tells them at the end. */
const { isMainThread, parentPort, Worker } = require('node:worker_threads');

const INTERVAL_MICROS = 10_101;
const WINDOW_MILLIS = 2000;

if (!isMainThread) sample();
else begin();

/** The channel's last message is `result`: then the profiles so far are told in front of it. */
function begin() {
  const profiles = [];
  const worker = new Worker(__filename, { execArgv: [] });
  let whenEnded = () => {};
  worker.on('message', (message) => (message === 'ended' ? whenEnded() : profiles.push(message)));
  worker.unref();
  const { send } = process;
  process.send = (message, ...rest) => {
    if (message.result === undefined) return send.call(process, message, ...rest);
    whenEnded = () => {
      send.call(process, { profiles });
      send.call(process, message, ...rest);
    };
    worker.ref();
    worker.postMessage('last');
    return true;
  };
}

function sample() {
  const { Session } = require('node:inspector');
  const session = new Session();
  session.connectToMainThread();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS });
  session.post('Profiler.start');
  const cut = (then) => {
    session.post('Profiler.stop', (_error, reply) => {
      if (reply) parentPort.postMessage(lean(reply.profile));
      then();
    });
  };
  const timer = setInterval(() => cut(() => session.post('Profiler.start')), WINDOW_MILLIS);
  parentPort.once('message', () => {
    // The timer stays until the answer is there: a command under way does not keep this thread alive.
    cut(() => {
      parentPort.postMessage('ended');
      clearInterval(timer);
    });
  });
}

/** Without what V8 leaves empty. */
function lean(profile) {
  for (const node of profile.nodes) {
    if (node.hitCount === 0) delete node.hitCount;
    if (node.children?.length === 0) delete node.children;
  }
  return profile;
}
