import { isValid, parse, parseCIDR, subnetMatch, type IPv4, type IPv6 } from 'ipaddr.js';

/**
 * Ranges of special purpose, which are not addresses of public servers. From IANA's registries (RFC 6890;
 * https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry): all of IPv4, and those
 * of IPv6 inside 2000::/3, globally reachable or not.
 */
const special = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carriers' NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local: the metadata of clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // IETF protocols
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // multicast tunnels (AMT)
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '2001::/23', // IETF protocols: Teredo, which holds an IPv4 address, benchmarks, AMT, ORCHID, drones
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which holds an IPv4 address
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
  ...['::/3', '4000::/2', '8000::/1'], // outside of 2000::/3: IANA has allocated no global addresses there
  // Inside an Azure machine this address is the platform itself
  // (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
  '168.63.129.16/32',
].map((range) => parseCIDR(range));

/**
 * @returns whether the address may belong to any server on the Internet. Refuses what ipaddr.js does not call unicast,
 *   and what IANA's registries list as special, which a library may not know yet. Refuses every IPv6 address that
 *   contains an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo, ISATAP): it leads to an address that is not
 *   checked here.
 */
export function isPublicAddress(address: string): boolean {
  if (!isValid(address)) return false;
  const parsed = parse(address);
  const isSpecial = subnetMatch(parsed, { special }, 'none') === 'special';
  return parsed.range() === 'unicast' && !isSpecial && !isIsatap(parsed);
}

/** RFC 5214: an interface identifier 0000:5efe or 0200:5efe with an IPv4 address, in any network. */
function isIsatap(address: IPv4 | IPv6): boolean {
  if (address.kind() === 'ipv4') return false;
  const { parts } = address as IPv6;
  return (parts[4]! & ~0x0200) === 0 && parts[5] === 0x5efe;
}
