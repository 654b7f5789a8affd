"""The paths of the application, those of Everbearer among them."""

from django.urls import path
from oauth.server import server

import everbearer as eb
from oauth import views

urlpatterns = [
    path("", views.home),
    path("login", views.SignIn.as_view()),
    path("oauth2/authorize", views.authorization),
    path("consent", views.decide),
    path("api/notes", views.notes),
    *(path(each[1:], views.protocol) for each in eb.all_routes(server)),
]
