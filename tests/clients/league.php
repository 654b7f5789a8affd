<?php
// The requests of the PHP League's oauth2-client with the options of the documents this server was written for, made
// by PHP's own streams. GenericProvider sends exactly these parameters, in this way.
declare(strict_types=1);

$issuer = getenv('ISSUER');
$clientId = getenv('CLIENT_ID');
$clientSecret = getenv('CLIENT_SECRET');
$redirectUri = getenv('REDIRECT_URI');
$basic = getenv('BASIC') === '1';
$pkce = getenv('PKCE') === '1';

function say(array $what): void
{
    fwrite(STDOUT, json_encode($what, JSON_THROW_ON_ERROR) . "\n");
}

function request(string $method, string $url, array $headers, string $body = ''): array
{
    $context = stream_context_create(['http' => [
        'method' => $method,
        'header' => $headers,
        'content' => $body,
        'ignore_errors' => true,
        'timeout' => 120,
    ]]);
    $answer = file_get_contents($url, false, $context);
    preg_match('#^HTTP/\S+ (\d+)#', $http_response_header[0], $found);
    return ['status' => (int) $found[1], 'body' => json_decode($answer, true), 'text' => $answer];
}

function post(string $url, array $form, array $headers = []): array
{
    $headers[] = 'content-type: application/x-www-form-urlencoded';
    return request('POST', $url, $headers, http_build_query($form, '', '&'));
}

// HttpBasicAuthOptionProvider: the id and the secret as they are, not encoded for a form first.
function token(array $form): array
{
    global $issuer, $clientId, $clientSecret, $redirectUri, $basic;
    $own = $basic ? [] : ['client_id' => $clientId, 'client_secret' => $clientSecret];
    $headers = $basic ? ['Authorization: Basic ' . base64_encode("$clientId:$clientSecret")] : [];
    return post("$issuer/oauth2/token", $own + ['redirect_uri' => $redirectUri] + $form, $headers);
}

$state = bin2hex(random_bytes(16));
$query = [
    'state' => $state,
    'scope' => getenv('SCOPE'),
    'response_type' => 'code',
    'approval_prompt' => 'auto',
    'redirect_uri' => $redirectUri,
    'client_id' => $clientId,
];
$verifier = substr(bin2hex(random_bytes(32)), 0, 64);
if ($pkce) {
    $query['code_challenge'] = rtrim(strtr(base64_encode(hash('sha256', $verifier, true)), '+/', '-_'), '=');
    $query['code_challenge_method'] = 'S256';
}
say(['visit' => "$issuer/oauth2/authorize?" . http_build_query($query, '', '&', PHP_QUERY_RFC3986)]);

parse_str((string) parse_url(trim((string) fgets(STDIN)), PHP_URL_QUERY), $callback);
if (($callback['state'] ?? '') !== $state) {
    fwrite(STDERR, 'Invalid state');
    exit(1);
}
if (!isset($callback['code'])) {
    say(['result' => ['callback' => $callback]]);
    exit;
}
$code = ['grant_type' => 'authorization_code', 'code' => $callback['code']];
$tokens = token($code + ($pkce ? ['code_verifier' => $verifier] : []));
$refresh = ['grant_type' => 'refresh_token', 'refresh_token' => $tokens['body']['refresh_token'] ?? ''];
$refreshed = token($refresh);
// The sample keeps the refresh token that it first got.
$again = token($refresh);
$owner = request('GET', "$issuer/oauth2/userInfo", ['Authorization: Bearer ' . $again['body']['access_token']]);
$revoked = post("$issuer/oauth2/revoke", ['token' => $refresh['refresh_token']]);
say(['result' => [
    'tokens' => $tokens,
    'refreshed' => $refreshed,
    'again' => $again,
    'owner' => $owner,
    'revoked' => $revoked,
    'refused' => token($refresh),
    'owner_after' => request('GET', "$issuer/oauth2/userInfo", ['Authorization: Bearer ' . $again['body']['access_token']]),
]]);
