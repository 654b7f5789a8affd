"""The views: Django's own sign-in, the consent page, the API, and Everbearer's endpoints."""

from urllib.parse import quote

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

import everbearer as eb
from oauth.models import Consent, Note
from oauth.server import FRESH, server

endpoint = eb.endpoint(server)


class SignIn(LoginView):
    """Django's sign-in, which notes when it was."""

    template_name = "login.html"

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign the user in."""
        response = super().form_valid(form)
        self.request.session.update({"at": server.now(), "new": True})
        return response


@csrf_exempt
def authorization(request: HttpRequest) -> HttpResponse:
    """Answer a request that comes as a form by the GET it becomes, which has the cookies of this site."""
    if request.method != "POST":
        return authorize(request)
    return HttpResponse(status=303, headers={"Location": f"{request.path}?{request.POST.urlencode()}"})


@never_cache
@require_GET
def authorize(request: HttpRequest) -> HttpResponse:
    """Answer an authorization request: let the user sign in and consent, where that is needed, and complete it."""
    asked = resumed(request.META["QUERY_STRING"])
    if isinstance(asked, HttpResponse):
        return asked
    if must_sign_in(request, asked):
        if "none" in asked.prompt:
            return refuse(asked, eb.LoginRequired("the user must sign in, and prompt=none forbids to ask"))
        return HttpResponseRedirect(f"/login?next={quote(f'{request.path}?{asked.query}', safe='')}")
    if "consent" in asked.prompt or not has_consented(request, asked):
        if "none" in asked.prompt:
            return refuse(asked, eb.ConsentRequired("the user must consent, and prompt=none forbids to ask"))
        wanted = [server.scopes[value] for value in asked.consent_scope]
        return render(request, "consent.html", {"asked": asked, "wanted": wanted})
    return complete(request, asked)


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Take what the user decided on the consent page."""
    asked = resumed(request.POST.get("query", ""))
    if isinstance(asked, HttpResponse):
        return asked
    if must_sign_in(request, asked):
        return HttpResponseRedirect(f"/oauth2/authorize?{asked.query}")
    if request.POST.get("decision") != "allow":
        return refuse(asked, eb.AccessDenied("the user denied the request"))
    Consent.objects.update_or_create(
        user=request.user, client_id=asked.client.client_id, defaults={"scope": " ".join(asked.consent_scope)}
    )
    return complete(request, asked)


def resumed(query: str) -> eb.AuthorizationRequest | HttpResponse:
    """Return the authorization request that a query holds, or what answers one that cannot be granted."""
    try:
        return eb.finish(eb.resume_authorization_request(query, server))
    except eb.AuthorizationRefused as refused:
        return shown(refused.response or refused.error.response())


def must_sign_in(request: HttpRequest, asked: eb.AuthorizationRequest) -> bool:
    """Return whether the user must sign in, or do it again because the client wants it newer."""
    if not request.user.is_authenticated:
        return True
    age = server.now() - request.session["at"]
    if request.session["new"] and age <= FRESH:
        return False
    return "login" in asked.prompt or (asked.max_age is not None and age >= asked.max_age)


def has_consented(request: HttpRequest, asked: eb.AuthorizationRequest) -> bool:
    """Return whether the user has let the client have all that it asks for."""
    consent = Consent.objects.filter(user=request.user, client_id=asked.client.client_id).first()
    return consent is not None and set(asked.consent_scope) <= set(consent.scope.split())


def complete(request: HttpRequest, asked: eb.AuthorizationRequest) -> HttpResponse:
    """Take the code to the client."""
    request.session["new"] = False
    signed_in = eb.Authentication(subject=str(request.user.pk), auth_time=request.session["at"], amr=("pwd",))
    return shown(eb.finish(eb.complete_authorization(asked, signed_in, server)))


def refuse(asked: eb.AuthorizationRequest, error: eb.OAuthError) -> HttpResponse:
    """Take an error to the client."""
    return shown(eb.refuse_authorization(asked, error, server))


def shown(response: eb.Response) -> HttpResponse:
    """Return a response of Everbearer's as one of Django's."""
    return HttpResponse(response.body, status=response.status, headers=dict(response.headers))


@require_GET
def notes(request: HttpRequest) -> HttpResponse:
    """Give the notes of the user whose access token it is: the API."""
    try:
        bearer = eb.finish(eb.check_bearer(eb.request_from_environ(request.META, b""), server, "notes:read"))
    except eb.OAuthError as error:
        return shown(error.response())
    return JsonResponse({"notes": [note.text for note in Note.objects.filter(user_id=bearer.subject)]})


@csrf_exempt
def protocol(request: HttpRequest) -> HttpResponse:
    """Let Everbearer answer at its other paths."""
    return shown(eb.finish(endpoint(eb.request_from_environ(request.META, request.body))))


def home(request: HttpRequest) -> HttpResponse:
    """Say what this is."""
    return render(request, "home.html", {"issuer": server.issuer})
