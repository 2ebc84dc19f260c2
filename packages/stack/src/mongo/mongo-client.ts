import { MongoClient } from 'mongodb';

const TIMEOUT_MS = 5_000;

/** A client for one piece of work, every call bounded by five seconds. */
export const withMongo = async <T>(url: string, work: (client: MongoClient) => Promise<T>): Promise<T> => {
  const client = new MongoClient(url, {
    serverSelectionTimeoutMS: TIMEOUT_MS,
    connectTimeoutMS: TIMEOUT_MS,
    socketTimeoutMS: TIMEOUT_MS,
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
};
