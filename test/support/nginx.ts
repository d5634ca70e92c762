import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram, startProgram } from './built-weir.ts'
import { freePort } from './free-port.ts'

/** What nginx is told to write; `$host` tells the domains apart. */
export const NGINX_FORMAT =
  '$host $remote_addr [$time_local] $msec "$request" $status $bytes_sent $request_length "$http_user_agent"'

/** A real nginx with everything of its own in one folder. */
export interface Nginx {
  readonly port: number
  /** Holds `access.log` and what it was rotated to. */
  readonly logs: string
  /** Rotates the log as Debian does it: rename, reopen, compress one rotation later. */
  rotate(): Promise<void>
  /** Ends it when what it has begun is answered and logged. */
  stop(): Promise<void>
}

/** Starts nginx on a loopback port; it serves `<folder>/files`. */
export async function startNginx(
  programs: { readonly nginx: string; readonly logrotate: string },
  folder: string,
): Promise<Nginx> {
  const port = await freePort()
  const logs = join(folder, 'logs')
  await mkdir(logs, { recursive: true })
  await mkdir(join(folder, 'files'), { recursive: true })
  const config = join(folder, 'nginx.conf')
  await writeFile(config, nginxConfig(folder, port))
  const args = ['-p', folder, '-c', config, '-e', join(folder, 'error.log')]
  await runProgram(programs.nginx, [...args, '-t'])
  const running = startProgram(programs.nginx, args)
  await waitUntilServing(port)
  const rotation = join(folder, 'logrotate.conf')
  const reopen = [programs.nginx, ...args, '-s', 'reopen'].join(' ')
  await writeFile(rotation, rotationConfig(join(logs, 'access.log'), reopen), { mode: 0o644 })
  return {
    port,
    logs,
    async rotate() {
      const state = join(folder, 'logrotate.state')
      await runProgram(programs.logrotate, ['--force', '--state', state, rotation])
    },
    async stop() {
      running.process.kill('SIGQUIT')
      await running.ended
    },
  }
}

function nginxConfig(folder: string, port: number): string {
  // As root its workers would become somebody who may not read the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  return `${user}
daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  ${temporary.join('\n  ')}
  log_format counted '${NGINX_FORMAT}';
  access_log ${folder}/logs/access.log counted;
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000;
    root ${folder}/files;
  }
}
`
}

function rotationConfig(log: string, reopen: string): string {
  return `"${log}" {
  rotate 9
  nocreate
  compress
  delaycompress
  postrotate
    ${reopen}
  endscript
}
`
}

async function waitUntilServing(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null)
    if (answer !== null) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('nginx did not start')
}
