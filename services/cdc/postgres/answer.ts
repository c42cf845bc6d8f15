import type { Clock } from '../../../runtime/clock.ts';
import { waitAtMost } from '../../../runtime/deadline.ts';

/** What is waited for here takes milliseconds; on a network that is silent nothing would ever come. */
const ANSWER_MS = 20_000;

/** @throws Error of the server, and where it does not answer in time. */
export const answered = async <T>(clock: Clock, asked: Promise<T>): Promise<T> => {
  const answer = await waitAtMost(clock, ANSWER_MS, asked, { unref: true });
  if (answer.inTime) return answer.value;
  throw new LateAnswer(`the server has not answered within ${ANSWER_MS} ms`);
};

/** The connection is of no use any more: what else it would be asked stands behind this. */
export class LateAnswer extends Error {}
