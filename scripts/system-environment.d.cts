export function systemEnvironment(environment?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
