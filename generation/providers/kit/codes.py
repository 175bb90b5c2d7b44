"""The codes that relays and OpenAI-style services give to errors, whatever they sell.

new-api and one-api name each step at which an order may end. What comes before the upstream is
asked is a refusal; what comes after it leaves open whether a task exists there.
"""

from collections.abc import Mapping

from generation.providers.kit.verdicts import (
    AUTH,
    BROKEN,
    CHANNEL_GONE,
    FORBIDDEN,
    INVALID,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
    RELAYS_ACCOUNT,
    TOO_FAST,
    UNSUPPORTED,
    Verdict,
)

#: Codes that decide before words and status, for each means one thing wherever it stands.
KNOWN_CODES: Mapping[str, Verdict] = {
    # On the way to the upstream, or after it has answered.
    "do_request_failed": BROKEN,
    "read_response_body_failed": BROKEN,
    "copy_response_body_failed": BROKEN,
    "close_response_body_failed": BROKEN,
    "unmarshal_response_body_failed": BROKEN,
    "bad_response": BROKEN,
    "bad_response_body": BROKEN,
    "empty_response": BROKEN,
    "empty_response_body": BROKEN,
    "aws_invoke_error": BROKEN,
    "channel:response_time_exceeded": BROKEN,
    "insert_task_failed": BROKEN,
    "insert_midjourney_task_failed": BROKEN,
    "post_consume_quota_failed": BROKEN,
    "query_data_error": BROKEN,
    "update_data_error": BROKEN,
    "new_api_panic": BROKEN,
    "one_api_panic": BROKEN,
    # Our credit.
    "insufficient_quota": NO_CREDIT,
    "insufficient_user_quota": NO_CREDIT,
    "quota_not_enough": NO_CREDIT,
    "pre_consume_token_quota_failed": NO_CREDIT,
    "billing_hard_limit_reached": NO_CREDIT,
    "billing_error": NO_CREDIT,
    "budget_exceeded": NO_CREDIT,
    # Our key.
    "invalid_api_key": AUTH,
    "account_deactivated": AUTH,
    "authentication_error": AUTH,
    "permission_error": FORBIDDEN,
    "access_denied": FORBIDDEN,
    # Before the upstream: the model has no channel here, or the channel is set up wrongly.
    "get_channel_failed": NO_ROOM,
    "channel:no_available_key": NO_ROOM,
    "no_available_channel": NO_ROOM,
    "no_available_channels": NO_ROOM,
    "no_available_account": NO_ROOM,
    "no_available_accounts": NO_ROOM,
    "queue_full": NO_ROOM,
    "overloaded_error": NO_ROOM,
    "channel:invalid_key": RELAYS_ACCOUNT,
    "channel:param_override_invalid": UNSUPPORTED,
    "channel:header_override_invalid": UNSUPPORTED,
    "channel:model_mapped_error": UNSUPPORTED,
    "model_price_error": UNSUPPORTED,
    "invalid_api_type": UNSUPPORTED,
    "invalid_api_platform": UNSUPPORTED,
    "convert_request_failed": UNSUPPORTED,
    "api_not_implemented": UNSUPPORTED,
    "not_implemented": UNSUPPORTED,
    "invalid_action": UNSUPPORTED,
    "gen_relay_info_failed": INVALID,
    "count_token_failed": INVALID,
    "read_request_body_failed": INVALID,
    "bad_request_body": INVALID,
    # A follow-up's parent.
    "task_not_exist": NOT_FOUND,
    "task_origin_not_exist": NOT_FOUND,
    "task_not_found": NOT_FOUND,
    "task_no_found": NOT_FOUND,
    "task_channel_disable": CHANNEL_GONE,
    "channel_not_found": CHANNEL_GONE,
    "get_channel_info_failed": CHANNEL_GONE,
    # Too fast.
    "rate_limit_exceeded": TOO_FAST,
    "rate_limit_error": TOO_FAST,
}

#: Codes that are given to too much to outweigh words; below 500 they outweigh a status.
WEAK_CODES: Mapping[str, Verdict] = {
    "model_not_found": UNSUPPORTED,
    "context_length_exceeded": INVALID,
    "unknown_parameter": INVALID,
    "missing_required_parameter": INVALID,
    "invalid_image_url": INVALID,
    "invalid_size": INVALID,
}
