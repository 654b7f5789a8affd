"""Everbearer as an RSGI application (Granian's own interface): the least that would be needed to serve it so."""

import os
from pathlib import Path

from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.messages import Request
from everbearer.server.config.file import find_config, load_config
from everbearer.server.opening import open_sealer, open_store
from everbearer.server.password_pool import PasswordPool
from everbearer.server.tables import Parts, build
from everbearer.server.upkeep.signing_keys import SigningKeys


class Application:
    def __init__(self):
        config = load_config(find_config(Path(os.environ["EVERBEARER_CONFIG"])), os.environ)
        store, sealer = open_store(config), open_sealer(config, os.environ)
        self.keys = SigningKeys(store, sealer, unix_now)
        parts = Parts(config=config, store=store, sealer=sealer, keys=self.keys, run=PasswordPool().run)
        self.endpoint = build(parts)

    def __rsgi_init__(self, loop):
        loop.run_until_complete(self.keys.refresh())

    async def __rsgi__(self, scope, protocol):
        request = Request(
            method=scope.method,
            path=scope.path,
            query=scope.query_string,
            headers=dict(scope.headers.items()),
            body=await protocol(),
            remote_address=scope.client.rpartition(":")[0],
        )
        response = await self.endpoint(request)
        headers = [(name.lower(), value) for name, value in response.headers]
        protocol.response_bytes(response.status, headers, response.body)


application = Application()
