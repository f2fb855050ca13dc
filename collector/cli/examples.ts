/** What people type, shown before everything else in the help. At most 80 columns. */
import { DEFAULT_PORT } from './collector-url';

export const PROGRAM_EXAMPLES = `Examples:
  ringtail demo                       a sample service, its load and a live view
  ringtail collector                  receive what agents send, on port ${DEFAULT_PORT}
  ringtail run -- node app.js         run a program with the agent preloaded
  ringtail attach 4711                profile a process that runs without it
  ringtail tail checkout              watch one service
  ringtail tail --json | jq .cpu      one JSON object a line, for scripts
  ringtail top --seconds 10           what takes most CPU right now
  ringtail diff old.pb.gz new.pb.gz   what changed
  go tool pprof "http://127.0.0.1:${DEFAULT_PORT}/debug/pprof/profile?seconds=5"
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

export const ATTACH_EXAMPLES = `Examples:
  ringtail attach 4711                start the agent in process 4711
  ringtail attach 4711 --stop         end it there
  ringtail attach 4711 --seconds 60   both, a minute apart
`;

export const TOP_EXAMPLES = `Examples:
  ringtail top                        10 s of CPU, of the running collector
  ringtail top profile.pb.gz --cum    of a file, callers first
  ringtail top --by package app.cpuprofile
  ringtail top --profile heap --service checkout
`;

export const TREE_EXAMPLES = `Examples:
  ringtail tree profile.pb.gz
  ringtail tree profile.pb.gz --min 5% --focus handler
`;

export const PEEK_EXAMPLES = `Examples:
  ringtail peek '^parse$' profile.pb.gz
`;

export const TRACES_EXAMPLES = `Examples:
  ringtail traces profile.pb.gz       the ten that took most
  ringtail traces -n 0 profile.pb.gz  all
`;

export const LIST_EXAMPLES = `Examples:
  ringtail list '^parse$' profile.pb.gz
  ringtail list handler --source-path ~/checkout profile.pb.gz
`;

export const DIFF_EXAMPLES = `Examples:
  ringtail diff before.pb.gz after.pb.gz
  ringtail diff before.pb.gz --seconds 30       with what runs now
  ringtail diff --normalize before.pb.gz after.pb.gz
`;

export const EXPORT_EXAMPLES = `Examples:
  ringtail export profile.pb.gz --format speedscope -o profile.json
  ringtail export --seconds 5 -o profile.pb.gz
  ringtail export app.cpuprofile --format folded | flamegraph.pl > a.svg
`;
