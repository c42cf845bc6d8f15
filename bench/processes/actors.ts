import { setImmediate } from 'node:timers/promises';
import { rootContext } from '../../runtime/context.ts';
import { PROCESSES } from '../../services/process/port.ts';
import type { Mode } from '../settings.ts';
import { answer } from './answer.ts';
import { startProgram } from './program.ts';

const SPAWNS = 4000;
const MESSAGES = 40_000;
const HOST = 'bench:host';

const [what, mode, endpoint = ''] = process.argv.slice(2) as ['spawn' | 'send', Mode, string];
const processes = (await startProgram('actors', mode, endpoint)).use(PROCESSES);
const spawn = (id: string, args: readonly (string | number)[]): string =>
  processes.spawn({ id, host: HOST, args, context: rootContext });
const allEnded = async (): Promise<void> => {
  while (processes.processes(HOST).length > 0) await setImmediate();
};

/** Processes per second, from the first spawn until the last has ended. */
const spawnRound = async (): Promise<number> => {
  const start = performance.now();
  spawn('bench:parent', [SPAWNS]);
  await allEnded();
  return (SPAWNS * 1000) / (performance.now() - start);
};

/** Messages per second, from the first send until the last was received in its place. */
const sendRound = async (): Promise<number> => {
  const start = performance.now();
  const received = processes.exec({ id: 'bench:receiver', host: HOST, args: [MESSAGES], context: rootContext });
  const to = processes.processes(HOST).find(({ source }) => source === 'bench:receiver')?.pid ?? '';
  spawn('bench:sender', [to, MESSAGES]);
  if ((await received) !== MESSAGES) throw new Error('messages are missing');
  const took = performance.now() - start;
  await allEnded();
  return (MESSAGES * 1000) / took;
};

answer(what === 'spawn' ? spawnRound : sendRound);
