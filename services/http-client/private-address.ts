import dns from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { permissionDenied } from '../../runtime/errors.ts';

/** Whether an address is loopback, private, link-local or unspecified (RFC 1918, 3927, 4193, 4291, 6598). */
export const privateAddresses = (): ((address: string) => boolean) => {
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
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
};

/** The host of a URL where it is an address written out; undefined for a name. */
export const literalAddress = ({ hostname }: URL): string | undefined => {
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 ? undefined : address;
};

export interface AddressGuard {
  /** Resolves names, and fails where one of the addresses is refused: checked on what is connected to, not before. */
  readonly lookup: LookupFunction;
}

/** Keeps outgoing requests away from addresses. */
export const addressGuard = (isRefused: (address: string) => boolean): AddressGuard => ({
  lookup(hostname, options, callback) {
    dns.lookup(hostname, options, (error, address, family) => {
      const found = typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
      const refused = error === null ? found.find(isRefused) : undefined;
      callback(refused === undefined ? error : permissionDenied(`not allowed: ${refused}`), address, family);
    });
  },
});
