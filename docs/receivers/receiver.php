<?php
// A receiver of genq's webhooks, with nothing but PHP 8.
//
//   GENQ_WEBHOOK_SECRET=whsec_… php -S 127.0.0.1:9999 receiver.php

function verified(string $body, string $secret): ?array
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) {
        return null; // too old, or the clock of one of us is wrong
    }
    $key = base64_decode(substr($secret, strlen('whsec_')));
    $expected = base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // Several signatures, while a secret is being changed for a new one.
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $signature) {
        [$version, $value] = explode(',', $signature, 2) + ['', ''];
        if ($version === 'v1' && hash_equals($expected, $value)) {
            return json_decode($body, true);
        }
    }
    return null;
}

$event = verified(file_get_contents('php://input'), getenv('GENQ_WEBHOOK_SECRET'));
if ($event === null) {
    http_response_code(401);
    exit;
}

// The same event may come twice: only one request can create its file. A table with a unique column does the same.
$events = getenv('RECEIVER_EVENTS') ?: 'receiver-events';
if (!is_dir($events)) {
    @mkdir($events, 0700, true);
}
$isNew = @fopen($events . '/' . hash('sha256', $event['id']), 'x') !== false;

http_response_code(204);
if (function_exists('fastcgi_finish_request')) {
    fastcgi_finish_request(); // answer first, work afterwards
}
if ($isNew) {
    $urls = array_column($event['data']['assets'], 'url');
    error_log("{$event['type']} {$event['data']['id']} " . implode(' ', $urls));
}
