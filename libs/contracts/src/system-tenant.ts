/**
 * The tenant of jobs without a tenant: those of schedules, and those of services that name no tenant. Only operators
 * see its jobs.
 */
export const systemTenant = 'system';
