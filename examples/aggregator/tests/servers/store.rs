//! The store of a ledger on a server.

use std::sync::Arc;

use moon_core::Store;
use moon_store_mysql::MysqlStore;
use moon_store_postgres::PostgresStore;

use crate::servers::Server;

pub(crate) async fn open_store(server: Server, url: &str) -> Arc<dyn Store> {
    match server {
        Server::Mysql => Arc::new(MysqlStore::connect(url).await.unwrap()),
        Server::Postgres => Arc::new(PostgresStore::connect(url).await.unwrap()),
    }
}
