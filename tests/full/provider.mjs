// A certified OpenID server that is not ours (npm oidc-provider), on loopback, for one test.
//
// Every value that is secret is printed as `SECRET kind value`, so that the test knows what to look for.
import http from 'node:http';
import { pathToFileURL } from 'node:url';

const { Provider } = await import(pathToFileURL(process.env.OIDC_PROVIDER).href);
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const modes = process.env.RESPONSE_MODES?.split(',');

const server = http.createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'claudectl-test',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    {
      client_id: 'introspector',
      client_secret: 'TESTINTROSPECTORSECRET',
      token_endpoint_auth_method: 'client_secret_post',
      redirect_uris: [],
      response_types: [],
      grant_types: [],
    },
  ],
  claims: { openid: ['sub'], email: ['email'], profile: ['organization'] },
  conformIdTokenClaims: false,
  cookies: { keys: ['TESTCOOKIEKEY'] },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@acme.example`, organization: 'Acme Research' }),
  }),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, RefreshToken: 86400, AuthorizationCode: 60, DeviceCode: 600, Interaction: 600, Session: 600, Grant: 86400, IdToken: 600 },
});
for (const [event, kind] of [
  ['authorization_code.saved', 'code'],
  ['access_token.saved', 'access'],
  ['refresh_token.saved', 'refresh'],
  ['device_code.saved', 'device'],
]) {
  provider.on(event, (token) => say('SECRET', kind, token.jti));
}
if (modes) {
  // A server that offers less.
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path.includes('/.well-known/')) ctx.body.response_modes_supported = modes;
  });
}
server.on('request', provider.callback());
say('READY', issuer);
process.stdin.on('end', () => process.exit(0)).resume();
