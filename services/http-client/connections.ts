import type { Env } from '../../runtime/env.ts';
import { CallError } from '../../runtime/errors.ts';
import { type Allows, isGuarded } from '../security/port.ts';
import type { Permissions } from './permissions.ts';
import { addressGuard, literalAddress } from './private-address.ts';
import { type Transport, transport } from './transport.ts';

/**
 * The pooled connections of the program, in two pools: connections to private addresses must not serve a call that may
 * not reach them. Calls with an actor and a scope use the one that reaches public addresses only; where a name leads to
 * a private one that their policies allow, the request gets a connection of its own.
 */
export const connections = (env: Env, allows: Allows, { isPrivate }: Permissions): Transport => {
  let open: Transport | undefined;
  let publicOnly: Transport | undefined;
  const usePublicOnly = (): Transport => {
    publicOnly ??= transport(env.thirdParty, addressGuard(isPrivate));
    return publicOnly;
  };
  return {
    async send(request, headers, call) {
      if (env.settings.blockPrivateIps) return usePublicOnly().send(request, headers, call);
      const { context } = call;
      const isResolved = request.transport.socketPath === undefined && literalAddress(request.url) === undefined;
      if (!isResolved || !isGuarded(context)) {
        open ??= transport(env.thirdParty, undefined);
        return open.send(request, headers, call);
      }
      try {
        return await usePublicOnly().send(request, headers, call);
      } catch (error) {
        // Refused before it was connected to: nothing was sent.
        if (!(error instanceof CallError) || error.kind !== 'PermissionDenied') throw error;
      }
      const isRefused = (address: string): boolean =>
        isPrivate(address) && !allows(context, 'http_client.private_ip', address);
      const own = transport(env.thirdParty, addressGuard(isRefused));
      try {
        return await own.send(request, headers, call);
      } finally {
        own.close();
      }
    },
    close() {
      open?.close();
      publicOnly?.close();
      open = undefined;
      publicOnly = undefined;
    },
  };
};
