export interface ListenAddress {
  /** Without brackets. */
  readonly host: string;
  /** 0 picks one. */
  readonly port: number;
}

const LISTEN = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/;
const HIGHEST_PORT = 65535;

/** `host:port`, `[::1]:9464`; undefined when it is not one. */
export const parseListen = (text: string): ListenAddress | undefined => {
  const match = LISTEN.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > HIGHEST_PORT ? undefined : { host, port };
};

export const renderListen = ({ host, port }: ListenAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Whether only this machine can reach an IP address. */
export const isLoopback = (ip: string): boolean => ip === '::1' || /^(?:::ffff:)?127\./.test(ip);
