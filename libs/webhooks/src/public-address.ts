import { parse, isValid } from 'ipaddr.js';

/**
 * Addresses of the whole Internet that are somebody's own all the same: inside an Azure machine this one is the
 * platform itself (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
 */
const platforms = new Set(['168.63.129.16']);

/**
 * Whether an address is one that anybody on the Internet may have. What is not, is private, the machine itself, its
 * link (the metadata of clouds), a carrier's NAT, a group, or a disguise of one of these: an IPv4 address inside an
 * IPv6 one (mapped, NAT64, 6to4, Teredo). ipaddr.js knows IANA's registries of special addresses.
 */
export function isPublicAddress(address: string): boolean {
  return isValid(address) && parse(address).range() === 'unicast' && !platforms.has(address);
}
