"""Authentication that several renderers share: a plain key, and a new-api relay's bearer key."""

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.accounts import KeyState, bearer_token, key_state_of
from ops.sandbox.config import SandboxConfig
from ops.sandbox.dialect import Refusal
from ops.sandbox.protocols import newapi


class KeyAuthentication:
    """Authenticates by a plain key, by default a bearer token. The account is the key."""

    def key_of(self, headers: Headers) -> str:
        """The key in the headers; "" without one."""
        return bearer_token(headers)

    def authenticate(
        self, headers: Headers, config: SandboxConfig, *, submits: bool
    ) -> str | Response:
        """The account, or the response that rejects the key."""
        key = self.key_of(headers)
        state = key_state_of(key, config)
        return key if state.passes(submits=submits) else self.reject(state)

    def reject(self, state: KeyState) -> Response:
        """The response to a key in this state."""
        return self.refusal(
            Refusal.NO_CREDIT if state is KeyState.NO_CREDIT else Refusal.AUTH, prompt=""
        )

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        """The response to a refused submit."""
        raise NotImplementedError


class RelayAuthentication(KeyAuthentication):
    """A new-api station in front of a protocol: it checks keys and credit itself."""

    def reject(self, state: KeyState) -> Response:
        return newapi.rejected_key(state)

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        match refusal:
            case Refusal.AUTH:
                return newapi.bad_token()
            case Refusal.NO_CREDIT:
                return self.no_credit()
            case _:
                return self.relayed_refusal(refusal, prompt)

    def no_credit(self) -> Response:
        """The response for lack of credit."""
        return newapi.no_quota()

    def relayed_refusal(self, refusal: Refusal, prompt: str) -> Response:
        """The response to a submit that the service behind the relay refused."""
        raise NotImplementedError
