"""The application in Django, with views that block or await."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views import View

from everbearer.resource_server import ResourceServer, requirement
from everbearer.resource_server.django import Bearer, access_token

if not settings.configured:
    # Its own protection against forged requests is on, as in every project.
    settings.configure(
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
        ROOT_URLCONF=ModuleType("no_urls"),
        SECRET_KEY="a secret for the tests of the adapter",
    )


def shown(request: HttpRequest) -> HttpResponse:
    token = access_token(request)
    return JsonResponse({"client": token.client_id, "subject": token.subject, "scope": token.scope})


def blocking_urls(api: ResourceServer) -> list[URLPattern]:
    bearer = Bearer(api)

    @method_decorator(bearer.require("read"), name="dispatch")
    class Read(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return shown(request)

        post = get

    @bearer.require("read")
    def data(request: HttpRequest) -> HttpResponse:
        api.check(access_token(request), requirement("write"))
        return shown(request)

    return [
        path("read", Read.as_view()),
        path("data", data),
        path("admin", bearer.require("admin")(shown)),
        path("any", bearer.require()(shown)),
        path("recent", bearer.require(max_age=60)(shown)),
        *bearer.urls(),
    ]


def awaiting_urls(api: ResourceServer) -> list[URLPattern]:
    bearer = Bearer(api)

    async def show(request: HttpRequest) -> HttpResponse:
        return shown(request)

    @bearer.require("read")
    async def data(request: HttpRequest) -> HttpResponse:
        api.check(access_token(request), requirement("write"))
        return shown(request)

    return [
        path("read", bearer.require("read")(show)),
        path("data", data),
        path("admin", bearer.require("admin")(show)),
        path("any", bearer.require()(show)),
        path("recent", bearer.require(max_age=60)(show)),
        *bearer.urls(),
    ]


def urlconf(urls: list[URLPattern]) -> Any:
    """Return what `ROOT_URLCONF` may be: a module with the URLs."""
    module = ModuleType("urls_of_the_test")
    module.urlpatterns = urls  # type: ignore[attr-defined] # that is all it is for
    return module
