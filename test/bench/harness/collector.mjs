/** A collector of our own for the agents under measurement, and an HTTP sink that swallows what the peers upload. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { BUILD } from './folders.mjs';
import { cleanEnvironment } from './program.mjs';

const TOKEN = 'bench-token-that-is-long-enough';
const START_MILLIS = 10_000;

/** { url, env, metric(name), close() }: env is what an agent needs to find it. */
export async function startCollector() {
  const words = [join(BUILD, 'cli.js'), 'collector', '--port', '0'];
  const child = spawn(process.execPath, words, {
    env: cleanEnvironment({ RINGTAIL_TOKEN: TOKEN }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const url = await addressOf(child);
  return {
    url,
    env: { RINGTAIL_COLLECTOR: url.replace('http', 'ws'), RINGTAIL_TOKEN: TOKEN },
    metric: (name) => readMetric(url, name),
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function addressOf(child) {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`the collector told no address within ${START_MILLIS} ms`));
    const timer = setTimeout(fail, START_MILLIS);
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      told += text;
      const found = /collector on (http:\/\/\S+)/.exec(told);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
  });
}

/** Every value of a metric at this moment. */
async function readMetric(url, name) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(name) && /[ {]/.test(line.charAt(name.length)));
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}

/** Answers everything with 200. { url, close() } */
export async function startSink() {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end('{}'));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}
