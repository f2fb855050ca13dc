/** What people type, shown before everything else in the help. At most 80 columns. */
import { DEFAULT_PORT } from './collector-url';

export const PROGRAM_EXAMPLES = `Examples:
  ringtail demo                       a sample service, its load and a live view
  ringtail collector                  receive what agents send, on port ${DEFAULT_PORT}
  ringtail run -- node app.js         run a program with the agent preloaded
  ringtail tail checkout              watch one service
  ringtail tail --json | jq .cpu      one JSON object a line, for scripts
  go tool pprof http://127.0.0.1:${DEFAULT_PORT}/debug/pprof/profile?seconds=5
`;

export const DEMO_EXAMPLES = `Examples:
  ringtail demo                       until q or Ctrl-C
  ringtail demo --seconds 15          end by itself, with a summary
  ringtail demo --port 7500           when ${DEFAULT_PORT} is taken
`;

export const COLLECTOR_EXAMPLES = `Examples:
  ringtail collector                  on 127.0.0.1:${DEFAULT_PORT}
  ringtail collector --port 7500
  ringtail collector --require-token  when others share this machine
`;

export const TAIL_EXAMPLES = `Examples:
  ringtail tail                       every service
  ringtail tail checkout              one service
  ringtail tail --json --seconds 5    five seconds as JSON lines
  ringtail tail --plain | grep stall
`;

export const RUN_EXAMPLES = `Examples:
  ringtail run -- node app.js
  ringtail run -- npm test
  RINGTAIL_SERVICE=checkout ringtail run -- node app.js
`;
