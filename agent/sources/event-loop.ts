/**
 * The event loop, seen by the pings of the agent thread. How late a ping is answered is the loop's delay; the agent
 * thread records it, because it alone knows whether the process was suspended meanwhile. Each answer brings utilisation
 * and libuv's counts of turns and events, and the heap at most once a second; the sequence is stored last, so that who sees it sees the cells. The port is
 * unref'd: it never keeps the process alive. When this source closes, the agent thread is told that its pings stay
 * unanswered, lest it take that for a hang.
 */
import { performance } from 'node:perf_hooks';
import type { MessagePort } from 'node:worker_threads';
import { ControlCell } from '../../assembly/layout';
import { LOOK_PING } from '../thread-data';
import type { SourceContext } from './source';

const HEAP_INTERVAL_MICROS = 1e6;

/** afterPong: what else the host has to look after now and then. */
export function openEventLoop(context: SourceContext, pings: MessagePort, afterPong: () => void): () => void {
  const { control, guard, nowMicros } = context;
  const utilization = performance.eventLoopUtilization.bind(performance);
  /** Not in the types of the oldest Node that has it. */
  const timing: { uvMetricsInfo?: { loopCount: number; events: number; eventsWaiting: number } } =
    performance.nodeTiming;
  let heapAtMicros = Number.NEGATIVE_INFINITY;

  const onPing = guard.wrap((sequence: number) => {
    if (sequence === LOOK_PING) return afterPong();
    const atMicros = nowMicros();
    const { idle, active } = utilization();
    control.setCell(ControlCell.LoopIdleMillis, idle);
    control.setCell(ControlCell.LoopActiveMillis, active);
    const metrics = timing.uvMetricsInfo;
    if (metrics !== undefined) {
      control.setCell(ControlCell.LoopTurns, metrics.loopCount);
      control.setCell(ControlCell.LoopEvents, metrics.events);
      control.setCell(ControlCell.LoopEventsWaiting, metrics.eventsWaiting);
    }
    if (atMicros - heapAtMicros >= HEAP_INTERVAL_MICROS) {
      heapAtMicros = atMicros;
      readHeap(atMicros);
    }
    control.setCell(ControlCell.PongAtMicros, atMicros);
    control.publishPong(sequence);
    afterPong();
  });

  const readHeap = (atMicros: number) => {
    // Asked for here and not above, because loading it costs half a millisecond of every start.
    const { getHeapStatistics } = require('node:v8') as typeof import('node:v8');
    const heap = getHeapStatistics();
    control.setCell(ControlCell.HeapUsedBytes, heap.used_heap_size);
    control.setCell(ControlCell.HeapTotalBytes, heap.total_heap_size);
    control.setCell(ControlCell.HeapLimitBytes, heap.heap_size_limit);
    control.setCell(ControlCell.ExternalBytes, heap.external_memory);
    control.setCell(ControlCell.HeapAtMicros, atMicros);
  };

  control.setPingsEnded(true);
  pings.on('message', onPing);
  pings.unref();
  control.setPingsEnded(false);
  return () => {
    control.setPingsEnded(true);
    pings.close();
  };
}
