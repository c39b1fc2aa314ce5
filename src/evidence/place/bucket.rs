//! A copy in a bucket of an S3-compatible store. An object appears there whole or not at all, with its SHA-256 for the store
//! to check, and is read back whole before it counts. What is there already is told by the listing, by name and length: the
//! names of full tiles and finished segments are never put with other bytes, and who doubts the store runs `verify` on it.
//!
//! Address and credentials come from the environment, by the names that every S3 client knows: `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`, for a server without TLS also `AWS_ALLOW_HTTP=true`.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use object_store::path::Path as Key;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutPayload};
use tokio::runtime::Runtime;

use super::super::error::EvidenceError;
use super::wire::Connector;
use super::{Content, Place};

/// A bucket, or a part of one.
#[derive(Debug)]
pub struct Bucket {
    name: String,
    prefix: String,
    store: Arc<AmazonS3>,
    runtime: Runtime,
    /// Lengths of what is there, listed once.
    there: BTreeMap<String, u64>,
}

impl Bucket {
    /// The bucket of `s3://bucket/prefix`; lists what is there.
    ///
    /// # Errors
    /// The address or the environment cannot be used, or the store does not answer.
    pub fn named(text: &str) -> Result<Self, EvidenceError> {
        let bad = |why: String| EvidenceError::Key(format!("{text}: {why}"));
        let rest = text.strip_prefix("s3://").unwrap_or(text);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(bad("name a bucket, as in s3://evidence/hk-1".into()));
        }
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_checksum_algorithm(Checksum::SHA256)
            .with_http_connector(Connector)
            .build()
            .map_err(|error| bad(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| bad(error.to_string()))?;
        let prefix = prefix.trim_end_matches('/').to_owned();
        let mut place = Self {
            name: format!("s3://{bucket}/{prefix}"),
            prefix,
            store: Arc::new(store),
            runtime,
            there: BTreeMap::new(),
        };
        place.there = place.list()?;
        Ok(place)
    }

    fn key(&self, name: &str) -> Key {
        Key::from_iter(self.prefix.split('/').chain(name.split('/')).filter(|part| !part.is_empty()))
    }

    fn list(&self) -> Result<BTreeMap<String, u64>, EvidenceError> {
        let prefix = Key::from_iter(self.prefix.split('/').filter(|part| !part.is_empty()));
        let mut objects = self.store.list(Some(&prefix));
        self.runtime.block_on(async {
            let mut found = BTreeMap::new();
            while let Some(object) = std::future::poll_fn(|context| objects.as_mut().poll_next(context)).await {
                let object = object.map_err(|error| self.failed("list", "", &error))?;
                let name: Vec<_> = object.location.prefix_match(&prefix).into_iter().flatten().collect();
                let name: Vec<&str> = name.iter().map(AsRef::as_ref).collect();
                found.insert(name.join("/"), object.size);
            }
            Ok(found)
        })
    }

    fn failed(&self, what: &'static str, name: &str, error: &Error) -> EvidenceError {
        // the text has the causes in it, and the answer of the store from its second line on
        let text = error.to_string();
        let why = text.lines().next().unwrap_or_default().to_owned();
        EvidenceError::disk(what, &Path::new(&self.name).join(name), io::Error::other(why))
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let key = self.key(name);
        self.runtime.block_on(async {
            match self.store.get(&key).await {
                Ok(found) => Ok(Some(found.bytes().await?.into())),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

impl Place for Bucket {
    fn shown(&self) -> String {
        self.name.clone()
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, EvidenceError> {
        self.get(name).map_err(|error| self.failed("read", name, &error))
    }

    fn has(&self, name: &str, content: Content) -> Result<bool, EvidenceError> {
        Ok(self.there.get(name) == Some(&content.bytes))
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        let (key, payload) = (self.key(name), PutPayload::from(bytes.to_vec()));
        let put = self.runtime.block_on(self.store.put(&key, payload));
        put.map_err(|error| self.failed("upload", name, &error))?;
        let back = self.read(name)?;
        if back.as_deref() != Some(bytes) {
            let why = io::Error::other("what was read back is not what was uploaded");
            return Err(EvidenceError::disk("upload", &Path::new(&self.name).join(name), why));
        }
        self.there.insert(name.to_owned(), bytes.len() as u64);
        Ok(())
    }

    fn names(&self, below: &str) -> Result<Vec<String>, EvidenceError> {
        let inside =
            |name: &str| below.is_empty() || name.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'));
        Ok(self.there.keys().filter(|name| inside(name)).cloned().collect())
    }

    fn remove(&mut self, name: &str) -> Result<(), EvidenceError> {
        let removed = self.runtime.block_on(self.store.delete(&self.key(name)));
        match removed {
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(self.failed("remove", name, &error)),
        }
        self.there.remove(name);
        Ok(())
    }
}
