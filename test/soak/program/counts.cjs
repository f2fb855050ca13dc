/** What the program has done itself: what the agent tells of it must come to the same. Numbers that only grow. */
exports.counts = {
  requests: 0,
  outbound: 0,
  timed: 0,
  orders: 0,
  functions: 0,
  workersStarted: 0,
  workersTerminated: 0,
  workersLeft: 0,
  stalls60: 0,
  stalls300: 0,
  stalls1200: 0,
};
