import type { ProgramState } from './port.ts';

/** What a probe answers. */
export interface ProbeAnswer {
  readonly status: 200 | 503;
  readonly text: 'ok' | 'ready' | 'not ready' | 'shutting down';
}

/** Alive until the server itself begins to close. */
export const healthAnswer = (isClosing: boolean): ProbeAnswer =>
  isClosing ? { status: 503, text: 'shutting down' } : { status: 200, text: 'ok' };

/** Ready when every component has started and no stop was asked for; being degraded never changes it. */
export const readyAnswer = (state: ProgramState | undefined): ProbeAnswer => {
  if (state === undefined) return { status: 503, text: 'not ready' };
  if (state.stopping || state.closing) return { status: 503, text: 'shutting down' };
  return state.ready ? { status: 200, text: 'ready' } : { status: 503, text: 'not ready' };
};

const JSON_TYPES = new Set(['application/json', 'application/*']);
const TEXT_TYPES = new Set(['text/plain', 'text/*', '*/*']);

/** Whether an `Accept` header asks for JSON and nothing else that we have. */
export const wantsOnlyJson = (accept: string | undefined): boolean => {
  const wanted = (accept ?? '').split(',').flatMap((item) => {
    const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    return parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter)) ? [] : [type];
  });
  return wanted.some((type) => JSON_TYPES.has(type)) && !wanted.some((type) => TEXT_TYPES.has(type));
};
