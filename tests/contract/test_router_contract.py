"""Every router, the fake one too, under the same suite."""

import pytest

from envoy_world import Application, Client, DirectSupervisor, free_port
from fairway.adapters.routers.envoy import EnvoyRouter
from fairway.domain.rollout.revision import Endpoint
from fairway.testing.router import Answer, FakeRouter
from fairway.testing.router_contract import RouterContract


class TestFakeRouter(RouterContract):
    @pytest.fixture(autouse=True)
    def _world(self):
        self.routers: dict[str, FakeRouter] = {}
        self.revisions: dict[Endpoint, str] = {}

    def make_router(self, environment="production"):
        return self.routers.setdefault(environment, FakeRouter())

    def start_backend(self, revision, instance):
        endpoint = Endpoint(instance, "127.0.0.1", 20000 + len(self.revisions))
        self.revisions[endpoint] = revision
        return endpoint

    def stop_backend(self, endpoint):
        self.make_router().unhealthy.add(self.revisions[endpoint])

    def fail_backend(self, endpoint):
        self.make_router().failing.add(self.revisions[endpoint])

    def send(self, router, method="GET", *, named=None, user=None):
        return router.request(method, named=named, user=user)


class TestEnvoyRouter(RouterContract):
    @pytest.fixture(autouse=True)
    def _world(self, tmp_path):
        self.folder = tmp_path
        self.supervisor = DirectSupervisor(tmp_path)
        self.ports: dict[str, int] = {}
        self.applications: dict[Endpoint, Application] = {}
        yield
        self.supervisor.close()
        for application in self.applications.values():
            application.end()

    def make_router(self, environment="production"):
        port = self.ports.setdefault(environment, free_port())
        return EnvoyRouter(
            service="shop",
            environment=environment,
            folder=self.folder / environment,
            listen=f"127.0.0.1:{port}",
            supervisor=self.supervisor,
            concurrency=1,
            patience=1.5,
        )

    def start_backend(self, revision, instance):
        application = Application(revision)
        endpoint = application.begin(instance)
        self.applications[endpoint] = application
        return endpoint

    def stop_backend(self, endpoint):
        self.applications[endpoint].end()

    def fail_backend(self, endpoint):
        self.applications[endpoint].failing = True

    def send(self, router, method="GET", *, named=None, user=None):
        client = Client(router.observe().address)
        headers = {"x-fairway-revision": named} if named else {}
        headers |= {"x-user": user, "cookie": f"user={user}"} if user else {}
        try:
            status, revision, _ = client.request(method, headers=headers)
        finally:
            client.close()
        return Answer(status, revision)
