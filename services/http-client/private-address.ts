import dns from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { permissionDenied } from '../../runtime/errors.ts';

/** Loopback, private, link-local and unspecified addresses (RFC 1918, 3927, 4193, 4291, 6598). */
const privateAddresses = (): BlockList => {
  const list = new BlockList();
  list.addSubnet('0.0.0.0', 8, 'ipv4');
  list.addSubnet('10.0.0.0', 8, 'ipv4');
  list.addSubnet('100.64.0.0', 10, 'ipv4');
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addSubnet('169.254.0.0', 16, 'ipv4');
  list.addSubnet('172.16.0.0', 12, 'ipv4');
  list.addSubnet('192.168.0.0', 16, 'ipv4');
  list.addAddress('::', 'ipv6');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('fc00::', 7, 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  return list;
};

export interface AddressGuard {
  /** @throws CallError PermissionDenied when the host is a private address written out. */
  checkHost(hostname: string): void;
  /** Resolves names, and fails where one of its addresses is private: checked on what is connected to, not before. */
  readonly lookup: LookupFunction;
}

/** Keeps outgoing requests away from private networks (`http_client.block_private_ips`). */
export const addressGuard = (): AddressGuard => {
  const list = privateAddresses();
  const refuse = (address: string) => permissionDenied(`not allowed: ${address}`);
  const isPrivate = (address: string): boolean => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
  return {
    checkHost(hostname) {
      const address = hostname.replace(/^\[|\]$/g, '');
      if (isPrivate(address)) throw refuse(address);
    },
    lookup(hostname, options, callback) {
      dns.lookup(hostname, options, (error, address, family) => {
        const found = typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
        const refused = error === null ? found.find(isPrivate) : undefined;
        callback(refused === undefined ? error : refuse(refused), address, family);
      });
    },
  };
};
