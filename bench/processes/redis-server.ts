import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';

export interface BenchRedis {
  readonly url: string;
  stop(): Promise<void>;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve((address as { port: number }).port));
    });
  });

const answers = async (url: string, child: ChildProcess): Promise<void> => {
  const redis = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => {}); // until it listens
  const ended = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`redis-server: ${error.message}. apt-get install redis-server`)));
    child.once('exit', (code) => reject(new Error(`redis-server has ended with ${code}`)));
  });
  await Promise.race([redis.ping(), ended]);
  redis.disconnect();
};

/** A Redis that keeps nothing on disk: what is compared is the clients. */
export const startBenchRedis = async (): Promise<BenchRedis> => {
  const folder = mkdtempSync(join(tmpdir(), 'perilune-bench-redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  await answers(url, child);
  return {
    url,
    async stop() {
      child.kill('SIGKILL');
      while (child.exitCode === null && child.signalCode === null) await wait(5);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
