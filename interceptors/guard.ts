import type { Interceptor } from '../runtime/call.ts';
import { unavailable } from '../runtime/errors.ts';

/** Whether the program is stopping: read on every guarded call, so it is a plain field. */
export interface DrainState {
  readonly isDraining: boolean;
}

/**
 * Lets no new work in while the program stops: calls of guarded sites fail with Unavailable, retryable, `draining`.
 * Calls that running work makes are not guarded, so that it can end.
 */
export const guard = (state: DrainState, order = 10): Interceptor => ({
  name: 'guard',
  order,
  wrap(next, site) {
    if (site.guarded !== true) return next; // nothing to refuse, nothing to pay
    return (call) => {
      if (state.isDraining) throw unavailable('draining');
      return next(call);
    };
  },
});
