"""Where a person is sent: the console's pages of an account, and the vendor's own pages on models, prices and bills. Pure."""

from typing import Final
from urllib.parse import quote, urlsplit

from reconciler.state import Links

ACTIVATIONS: Final = "openManagement"  # the page on activation management
ENDPOINTS: Final = "endpoint"
TICKET: Final = "https://console.volcengine.com/workorder/create?step=2&SubProductID=P00000165"
_DOCS: Final = "https://www.volcengine.com/docs/82379"
MODELS: Final = f"{_DOCS}/1330310"  # 模型列表
PRICES: Final = f"{_DOCS}/1099320"  # 产品计费, as the page on activation management links it (S32)
BILLS: Final = "https://console.volcengine.com/finance/bill/detail/"  # (D18)


def console(endpoint: str | None, region: str) -> str:
    """Where the account's console pages begin: BytePlus has a console of its own, and each region its pages."""
    return (
        f"https://console.{'byteplus' if _is_byteplus(endpoint) else 'volcengine'}.com/ark/region:ark+{quote(region)}"
    )


def of_model(pages: str, name: str) -> str:
    """The page of a model, from which its documentation is reached, below where the account's `pages` begin (A14)."""
    return f"{pages}/model/detail?Id={quote(name, safe='')}"


def links(endpoint: str | None, region: str) -> Links:
    """The pages for who works with the account; of BytePlus' only the console's are known."""
    activations = f"{console(endpoint, region)}/{ACTIVATIONS}"
    if _is_byteplus(endpoint):
        return Links(activations=activations)
    return Links(models=MODELS, prices=PRICES, bills=BILLS, activations=activations, ticket=TICKET)


def _is_byteplus(endpoint: str | None) -> bool:
    host = urlsplit(endpoint).hostname if endpoint else None
    return f".{host or ''}".endswith(".byteplusapi.com")
