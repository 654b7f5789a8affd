"""Authlib's authorization server on Flask and SQLAlchemy: the smallest one with refresh tokens that rotate.

Its documentation leaves storing, rotating and revoking to whoever uses it; this does each in the plainest way.
Settings come by the environment: DATABASE is the path of an SQLite file.
"""

import os
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.sqla_oauth2 import OAuth2ClientMixin, OAuth2TokenMixin
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask
from sqlalchemy import String, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")  # plain HTTP, as all that is measured here

engine = create_engine(f"sqlite:///{os.environ['DATABASE']}", connect_args={"timeout": 20})
session = scoped_session(sessionmaker(engine, expire_on_commit=False))


@event.listens_for(engine, "connect")
def _durable(connection, _):
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


class Model(DeclarativeBase):
    pass


class User:
    def __init__(self, number):
        self.number = number

    def get_user_id(self):
        return self.number


class Client(Model, OAuth2ClientMixin):
    __tablename__ = "clients"
    id: Mapped[int] = mapped_column(primary_key=True)


class Token(Model, OAuth2TokenMixin):
    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(String(40))


def save_token(token, request):
    user = request.user.get_user_id() if request.user else ""
    session.add(Token(client_id=request.client.client_id, user=str(user), **token))
    session.commit()


class RefreshTokenGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        token = session.scalars(select(Token).where(Token.refresh_token == refresh_token)).first()
        return token if token and not token.refresh_token_revoked_at else None

    def authenticate_user(self, refresh_token):
        return User(refresh_token.user)

    def revoke_old_credential(self, refresh_token):
        refresh_token.access_token_revoked_at = refresh_token.refresh_token_revoked_at = int(time.time())
        session.commit()


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)


class Introspection(IntrospectionEndpoint):
    def query_token(self, token_string, token_type_hint):
        return session.scalars(select(Token).where(Token.access_token == token_string)).first()

    def check_permission(self, token, client, request):
        return token.client_id == client.client_id

    def introspect_token(self, token):
        alive = not token.access_token_revoked_at and token.issued_at + token.expires_in > time.time()
        return {
            "active": alive,
            "client_id": token.client_id,
            "sub": token.user,
            "scope": token.scope,
            "iat": token.issued_at,
            "exp": token.issued_at + token.expires_in,
        }


application = Flask(__name__)
application.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
application.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"refresh_token": 1800, "client_credentials": 1800}
server = AuthorizationServer(
    application,
    query_client=lambda name: session.scalars(select(Client).where(Client.client_id == name)).first(),
    save_token=save_token,
)
server.register_grant(RefreshTokenGrant)
server.register_grant(ClientCredentialsGrant)
server.register_endpoint(Introspection)


@application.teardown_appcontext
def _leave(_):
    session.remove()


@application.post("/token")
def token():
    return server.create_token_response()


@application.post("/introspect")
def introspect():
    return server.create_endpoint_response(Introspection.ENDPOINT_NAME)


def seed(count, client_secret):
    import secrets  # noqa: PLC0415 - for the seed alone

    Model.metadata.create_all(engine)
    issued = [secrets.token_urlsafe(36) for _ in range(count)]
    with Session(engine) as made:
        for name, grant in (("web", "refresh_token"), ("machine", "client_credentials")):
            client = Client(client_id=name, client_secret=client_secret, client_id_issued_at=int(time.time()))
            client.set_client_metadata(
                {
                    "grant_types": [grant],
                    "scope": "orders.read",
                    "token_endpoint_auth_method": "client_secret_basic",
                    "redirect_uris": ["https://client.example/callback"],
                }
            )
            made.add(client)
        for value in issued:
            made.add(
                Token(
                    client_id="web",
                    user="ada",
                    token_type="Bearer",
                    access_token=secrets.token_urlsafe(36),
                    refresh_token=value,
                    scope="orders.read",
                    issued_at=int(time.time()),
                    expires_in=1800,
                )
            )
        made.commit()
    return issued
