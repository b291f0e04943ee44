import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Access, COOKIE } from './access.ts';
import { bodyOf } from './body.ts';

type SignInOptions = { access: Access; origins: readonly string[] };

const LARGEST_FORM_BYTES = 4_096;

/**
 * The page where people sign in with the token, every twelve hours. A UI without its own sign-in has no token to pass
 * on, but can be configured to send cookies.
 */
export async function showSignIn({ access }: SignInOptions, request: IncomingMessage, response: ServerResponse) {
  const isIn = (await access.caller(request.headers)) !== null;
  sendPage(response, 200, isIn ? SIGNED_IN : form(''));
}

/** Sets the cookie if the form's token is correct. */
export async function signIn({ access, origins }: SignInOptions, request: IncomingMessage, response: ServerResponse) {
  const token = new URLSearchParams(await bodyOf(request, LARGEST_FORM_BYTES)).get('token') ?? '';
  if (!access.isToken(token.trim()))
    return sendPage(response, 401, form('<p role="alert">That is not the right token.</p>'));
  const { value, seconds } = access.signIn();
  // Browsers send it with requests from the UI's pages if they are on the same site, never from other sites.
  const secure = origins.every((origin) => origin.startsWith('https:')) ? '; Secure' : '';
  response.setHeader(
    'Set-Cookie',
    `${COOKIE}=${value}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Strict${secure}`,
  );
  response.writeHead(303, { Location: '/' }).end();
}

const form = (alert: string): string => `${alert}<form method="post">
<label>Token <input name="token" type="password" autocomplete="current-password" required autofocus></label>
<button>Sign in</button>
</form>`;

const SIGNED_IN = `<p>You are signed in for twelve hours. In Temporal's UI, open the codec server's settings (the glasses in the
menu), enter this page's address, and turn on <em>Include cross-origin credentials</em>.</p>`;

const STYLE =
  'body{max-width:36rem;margin:4rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif}input,button{font:inherit}';

/** The page runs no script, loads nothing, and cannot be shown in another page's frame. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

function sendPage(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': POLICY });
  response.end(`<!doctype html>
<html lang="en">
<title>pixart-batch codec server</title>
<style>${STYLE}</style>
<h1>pixart-batch codec server</h1>
${body}
</html>
`);
}
