/** The property of `process`, by Symbol.for, under which the agent of a process is found: by other copies of this package, and by who attaches. */
export const AGENT_KEY = 'ringtail.agent/1';
