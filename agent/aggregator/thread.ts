/** The agent thread: builds the aggregator from what main handed over and lets it run. Started by host.ts, never imported. */
import { workerData } from 'node:worker_threads';
import type { AgentThreadData } from '../thread-data';
import { Aggregator } from './aggregator';

new Aggregator(workerData as AgentThreadData).run();
