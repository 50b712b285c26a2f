/**
 * The tenant of what no tenant asks for: the jobs of schedules, and those of services that name no tenant. Only those
 * who run the system see what belongs to it.
 */
export const systemTenant = 'system';
