import type { CallContext } from '../../runtime/context.ts';
import type { Settings } from '../../runtime/env.ts';
import { internal, permissionDenied } from '../../runtime/errors.ts';
import type { Allows } from '../security/port.ts';
import { literalAddress, privateAddresses } from './private-address.ts';
import type { OutgoingRequest } from './request.ts';

export interface Permissions {
  /**
   * What can be told before a name is resolved (lua/http_client.md, section 5).
   * @throws CallError PermissionDenied `not allowed: ...`; Internal, retryable, for a network that does not exist.
   */
  check(request: OutgoingRequest, context: CallContext): void;
  readonly isPrivate: (address: string) => boolean;
}

export const requestPermissions = (settings: Settings, allows: Allows): Permissions => {
  const isPrivate = privateAddresses();
  return {
    isPrivate,
    check({ url, transport }, context) {
      const demand = (action: string, resource: string): void => {
        if (!allows(context, action, resource)) throw permissionDenied(`not allowed: ${resource}`);
      };
      // Without the fragment, which is not sent: a policy for `/a` is for `/a#b` too.
      const [target = ''] = url.href.split('#', 1);
      demand('http_client.request', target);
      if (transport.insecureSkipVerify === true) demand('http_client.insecure_tls', target);
      if (transport.network !== undefined) {
        demand('network.select', transport.network);
        throw internal(`network not found: ${transport.network}`, { retryable: true });
      }
      if (transport.socketPath !== undefined) return demand('http_client.unix_socket', transport.socketPath);
      const address = literalAddress(url);
      if (address === undefined || !isPrivate(address)) return;
      if (settings.blockPrivateIps) throw permissionDenied(`not allowed: ${address}`);
      demand('http_client.private_ip', address);
    },
  };
};
