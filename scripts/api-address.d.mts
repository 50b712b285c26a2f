export function apiAddress(environment?: NodeJS.ProcessEnv): string;
