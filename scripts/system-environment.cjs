'use strict';

/**
 * What a program needs of its environment to run on this machine at all, whatever it does; `*` stands for any end.
 * No setting and no secret of this system is among them. A proxy's address may hold a password: it is for whoever
 * connects to anything.
 */
const names = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TZ', 'LANG', 'LANGUAGE', 'LC_*', 'TMPDIR', 'TMP', 'TEMP'],
  ...['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'CI'],
  ...[
    'LD_LIBRARY_PATH',
    'LD_PRELOAD',
    'DYLD_LIBRARY_PATH',
    'MALLOC_*',
    'FONTCONFIG_*',
    'JAVA_HOME',
    'JAVA_TOOL_OPTIONS',
  ],
  ...['NODE_ENV', 'NODE_OPTIONS', 'NODE_PATH', 'NODE_DEBUG', 'NODE_NO_WARNINGS', 'NODE_COMPILE_CACHE'],
  ...['NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA', 'NODE_USE_ENV_PROXY', 'NODE_TLS_REJECT_UNAUTHORIZED'],
  ...['NODE_V8_COVERAGE', 'NODE_ICU_DATA', 'UV_THREADPOOL_SIZE'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'OPENSSL_CONF', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'],
  ...[
    'SystemRoot',
    'SystemDrive',
    'windir',
    'ComSpec',
    'PATHEXT',
    'APPDATA',
    'LOCALAPPDATA',
    'ProgramData',
    'USERPROFILE',
  ],
];

/** Systems differ in how they write a name: `http_proxy`, `Path`. */
const pattern = new RegExp(`^(${names.join('|').replaceAll('*', '.*')})$`, 'i');

/** The part of an environment that every child process may have. */
exports.systemEnvironment = (environment = process.env) =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => pattern.test(name)));
